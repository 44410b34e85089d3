"""What the tests share: servers, clocks, and walks that are tried over and over."""
