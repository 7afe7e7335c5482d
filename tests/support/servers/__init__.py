"""Servers on loopback: OpenSSH's own sshd in many settings, and odd SFTP servers made of paramiko's server classes."""
