"""The devices on which a person is signed in."""
