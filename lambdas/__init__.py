"""What runs: one folder is one service is one bundle. No service imports another."""
