"""`python -m libs.provision`: the streams and durables of the town's own account."""

from libs.provision import streams

streams.run()
