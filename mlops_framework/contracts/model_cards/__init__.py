"""Model cards: what SageMaker keeps in one, what may be asked, what is answered. Pure."""
