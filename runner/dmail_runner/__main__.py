"""`python -m dmail_runner` is `dmail-runner`."""

from dmail_runner.cli import main

if __name__ == "__main__":
    main()
