"""How the bundled backbone was made: a small ViT learns, from nothing, to answer like a larger one.

    python -m peft_demo.pretrain --photos DIR_OR_ZIP... --teacher TIMM_NAME --work DIR \
        --out FILE.safetensors

Distillation (Hinton et al., arXiv:1503.02531; hints on inner layers after Romero et al.,
arXiv:1412.6550): the student sees the same crop of an unlabelled photo as the teacher and
regresses the teacher's tokens, class token and patches, at a third, two thirds and the end of its
depth. Before that, with `--alone IMAGES`, each part of a student of the teacher's shape learns by
itself, on the teacher's own tokens. No label is read, and no tensor of the teacher enters the
student.

| file | its one idea |
|---|---|
| `archives.py` | images out of folders and zips that nobody vouches for |
| `photos.py` | all photos once, as one array of bytes on disk |
| `views.py` | the crop number (view, block) is a pure function of the seed |
| `teacher.py` | a timm VisionTransformer, headless, frozen, at the size it looks at |
| `targets.py` | the teacher's tokens for a view, standardised, kept on disk |
| `recipe.py` | everything a run depends on besides the photos |
| `student.py` | a random timm ViT and its optimisers |
| `parts.py` | attention and MLP of each block alone, on the teacher's tokens |
| `distil.py` | the loop |
| `checkpoint.py` | a run as one safetensors file, bit-exact both ways |
| `probe.py` | linear probes on few-shot image sets that training never saw |
| `weights.py` `card.py` | the weights file, and the card beside it |
"""
