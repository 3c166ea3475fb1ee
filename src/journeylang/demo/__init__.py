"""The demo's coffee shop: an invented business whose data is made in one go, always the same."""
