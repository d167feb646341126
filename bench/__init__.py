"""Time and memory of xsession beside plain boto3 and other libraries, on an AWS stub in a process of its own."""
