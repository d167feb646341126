"""What stands behind `xsession.diagnose`: what a refusal says, what may cause it, and what to do about it."""
