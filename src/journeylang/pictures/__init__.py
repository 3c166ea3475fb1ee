"""Pictures and pages: from figures to markup that needs no network and no script."""
