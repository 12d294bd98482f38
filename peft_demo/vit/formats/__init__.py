"""Weights files of other programs, turned into named tensors with timm's names.

| file | its one idea |
|---|---|
| `kinds.py` | what a file is, by its first bytes |
| `prefix.py` | what stands before every name: `module.`, `visual.trunk.`, `teacher.backbone.` |
| `names.py` | transformers' names, and those of the papers' own code, onto timm's |
| `npz.py` | Google's `.npz`, by timm's own loader |
| `pickled.py` `pickle_child.py` | `.pth`, `.pt` and `.bin`, read in a process of its own |
"""
