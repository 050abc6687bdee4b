"""
====================================
Does a simulator look like the real?
====================================

A model trained on one set of images is used on another: simulated and measured, last
year's microscope and this one's. `~emclassify.model_selection.compare_domains` says
whether the two look alike, how far they are apart, and in what they differ.

Both sets here are **simulated**, by one simulator with two settings. In the place of
the second put your own images: an array, a list, or paths.
"""

# %%
# Two sets of ion images
# ----------------------
# The second has more noise from pixel to pixel. Images of one dataset are alike, so
# datasets are the groups; the bunches bring them along.

from emclassify import make_ion_images
from emclassify.model_selection import compare_domains

size = {"n_samples": 160, "n_groups": 16, "image_size": (32, 48)}
domains = {
    "simulated": make_ion_images(random_state=0, **size),
    "noisier": make_ion_images(random_state=1, noise=2.0, **size),
}
comparison = compare_domains(domains, n_permutations=199, random_state=0)
print(comparison)

# %%
# In what they differ
# -------------------
# The histogram of scores shows how far the sets overlap. Texture tells them apart best.
# The rows of images show those that are most and least like the other set.

comparison.plot()

# %%
# The numbers
# -----------

comparison.features.head(8)
