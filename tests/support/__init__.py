"""What the tests share: servers, clocks, and clients and walks."""
