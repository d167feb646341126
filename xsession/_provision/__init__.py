"""What stands behind `xsession.provision`: what a role is, should be, and how it gets there."""
