"""Invitations to become a member."""
