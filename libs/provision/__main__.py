"""`python -m libs.provision`: the streams and durables of the town's own account."""

from libs.provision import streams

if __name__ == "__main__":
    streams.run()
