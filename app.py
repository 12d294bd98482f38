"""`python app.py` is `peft-demo app`: the page of this machine. A Hugging Face Space starts
here."""

import sys

from peft_demo.__main__ import main

if __name__ == "__main__":
    main(["app", *sys.argv[1:]])
