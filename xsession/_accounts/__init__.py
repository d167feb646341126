"""What stands behind `xsession.accounts`: accounts that files define."""
