"""p"""
def run(): print("hi")
