"""What stands behind `xsession.policies`: documents, their parts, their limits and what they mean."""
