"""Notices by WhatsApp."""
