"""The picture of proposed masks shows what it says."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from ion_datasets import make_dataset

from emclassify.display import MaskProposalsDisplay


def test_pictures():
    images, *_ = make_dataset((24, 30))
    display = MaskProposalsDisplay.from_images(
        images, n_clusters=3, n_components=2, random_state=0
    )
    titles = [ax.get_title() for ax in display.axes_]
    assert titles[0] == "clusters"
    assert titles[-2:] == ["component 0", "component 1"]
    share = np.mean(display.clusters == 1)
    assert titles[2] == f"1: {share:.0%}"
    # The picture of a cluster is coloured there and nowhere else.
    picture = display.axes_[2].get_images()[0].get_array()
    assert ((np.ptp(picture[..., :3], axis=2) > 0) == (display.clusters == 1)).all()
    plt.close(display.figure_)


def test_given_axes():
    clusters = np.array([[0, 1], [1, 1]])
    figure, axes = plt.subplots(1, 3)
    display = MaskProposalsDisplay(clusters).plot(axes)
    assert display.figure_ is figure
    with pytest.raises(ValueError, match="2 axes for 3 pictures"):
        MaskProposalsDisplay(clusters).plot(axes[:2])
    plt.close(figure)
