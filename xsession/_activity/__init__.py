"""What stands behind `xsession.activity`: what is asked of CloudTrail, and what its events say."""
