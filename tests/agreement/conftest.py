"""How many programs are generated.

By default the same few at each run, so that it is short and says the same twice. More of
them, and others each time:

    pytest tests/agreement --hypothesis-profile=agreement        # 300, some minutes
    pytest tests/agreement --hypothesis-profile=agreement-soak   # 20,000, hours
"""

from hypothesis import settings

for name, programs in (("agreement", 300), ("agreement-soak", 20_000)):
    settings.register_profile(name, max_examples=programs, deadline=None, print_blob=True)
