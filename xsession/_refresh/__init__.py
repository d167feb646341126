"""What stands behind `xsession.refresh`: credentials that are kept fresh, and the threads that do so."""
