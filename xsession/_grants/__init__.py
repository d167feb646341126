"""What stands behind `xsession.grants` and `xsession.revocation`."""
