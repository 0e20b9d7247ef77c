"""What every route shares: dependencies, problem documents, paging, headers."""
