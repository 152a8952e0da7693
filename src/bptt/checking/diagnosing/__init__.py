"""From the truth to findings: verdict, roles, wrong lines, causes, and the whole report."""
