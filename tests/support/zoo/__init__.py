"""A zoo of SFTP servers, and what a run does with each."""
