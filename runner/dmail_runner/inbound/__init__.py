"""Files that providers send back: found, downloaded, opened, checked and stored."""
