"""The embedded AWS: one emulator process, our ML plane in it, and a deployer for it."""
