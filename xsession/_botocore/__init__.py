"""The only package that knows botocore's inside."""
