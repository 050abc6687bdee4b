"""
Do the simulated images behave as cryo-TEM images do?
=====================================================

Three properties of real images that
:func:`~emclassify.datasets.make_liposomes` should have too, measured on the
**simulated** images themselves: the bilayer's two leaflets, the Thon rings, and how the
signal-to-noise ratio follows the dose.
"""

# %%
# The bilayer
# -----------
# In fluid phosphatidylcholines, the head groups of the two leaflets are 3.5 to 3.8 nm
# apart [1]_; the simulator's default is 3.8 nm. Below is the mean grey value along
# circles about the centre of a spherical liposome with no noise and no ice, at 0.25 nm
# a pixel.
#
# Near focus, two dark leaflets stand where they should (dashed); a little inside, as
# the projection of a shell is darkest just inside its rim. At a defocus at which
# liposomes are recorded, contrast is several times higher, and fringes add to the
# leaflets.

import matplotlib.pyplot as plt
import numpy as np
from scipy import constants, signal

from emclassify import make_liposomes

QUIET = {
    "weights": {"unilamellar": 1.0},
    "n_groups": 1,
    "neighbours": 0,
    "contamination": 0,
    "ice_gradient": 0,
    "dtype": "float32",
    "random_state": 0,
}
RADIUS, THICKNESS = 30.0, 3.8


def ring_means(image, pixel, n_per_pixel=1):
    """Return distances from the centre and the means along these circles."""
    rows, columns = np.indices(image.shape) - (len(image) - 1) / 2
    ring = np.rint(np.hypot(rows, columns) * n_per_pixel).astype(int).ravel()
    sums = np.bincount(ring, weights=image.ravel().astype(np.float64))
    count = np.bincount(ring)
    keep = np.arange(len(count)) < n_per_pixel * len(image) // 2
    keep &= count > 0
    return np.flatnonzero(keep) * pixel / n_per_pixel, sums[keep] / count[keep]


def bilayer_profile(defocus, pixel=0.25):
    """Return the radial profile of one liposome, noise-free, and its true radius."""
    liposome = make_liposomes(
        1,
        image_size=352,
        pixel_size=pixel,
        radius=RADIUS,
        radius_spread=0,
        max_ellipticity=0,
        bilayer_thickness=THICKNESS,
        defocus=defocus,
        dose=np.inf,
        ice_noise=0,
        **QUIET,
    )
    distance, profile = ring_means(liposome.images[0], pixel, n_per_pixel=2)
    return distance, profile - profile[-20:].mean()


figure, axes = plt.subplots(1, 2, figsize=(8, 3), layout="constrained")
for ax, defocus in zip(axes, (0.1, 2.0), strict=True):
    distance, profile = bilayer_profile(defocus)
    ax.plot(distance, profile, color="k")
    for side in (-0.5, 0.5):
        ax.axvline(RADIUS + side * THICKNESS, ls="--", color="C1")
    ax.set(
        xlabel="distance from the centre (nm)",
        title=f"{defocus:g} µm underfocus",
        xlim=(RADIUS - 14, RADIUS + 14),
    )
axes[0].set_ylabel("relative intensity")
plt.show()

distance, profile = bilayer_profile(0.1)
dips = signal.find_peaks(-profile, prominence=0.1 * np.ptp(profile))[0]
print(f"dark rings at {distance[dips].round(2).tolist()} nm")

# %%
# Thon rings
# ----------
# The lens passes each spatial frequency with the weight of its contrast transfer
# function, so that the power spectrum of amorphous ice shows rings, drawn here as their
# mean along circles. The gaps between them, the zeros, follow from the defocus (grey
# lines): with wavelength λ, spherical
# aberration C and amplitude contrast Q, they lie where
# λ Δz k² − ½ C λ³ k⁴ + arcsin(Q)/π is a whole number [2]_.

PIXEL, KILOVOLT, ABERRATION, AMPLITUDE = 0.5, 200.0, 2.0, 0.1


def wavelength(kilovolt):
    """Return the relativistic wavelength of electrons in nm."""
    energy = constants.e * kilovolt * 1e3
    rest = constants.m_e * constants.c**2
    momentum = np.sqrt(2 * constants.m_e * energy * (1 + energy / (2 * rest)))
    return constants.h / momentum * 1e9


def zeros(defocus):
    """Return the frequencies in 1/nm at which nothing is passed."""
    lam = wavelength(KILOVOLT)
    linear = lam * defocus * 1e3
    quadratic = ABERRATION * 1e6 * lam**3 / 2
    order = np.arange(1, 9) - np.arcsin(AMPLITUDE) / np.pi
    k2 = (linear - np.sqrt(linear**2 - 4 * quadratic * order)) / (2 * quadratic)
    return np.sqrt(k2)


figure, axes = plt.subplots(2, 1, figsize=(7, 4.4), sharex=True, layout="constrained")
for ax, defocus in zip(axes, (1.0, 2.0), strict=True):
    ice = make_liposomes(
        40,
        image_size=128,
        pixel_size=PIXEL,
        radius=10,
        radius_spread=0,
        defocus=defocus,
        dose=np.inf,
        **QUIET,
    ).images
    window = np.outer(np.hanning(128), np.hanning(128))
    spectra = np.abs(np.fft.fft2((ice - ice.mean()) * window)) ** 2
    # An odd number of rows and columns, so that there is a middle one.
    spectrum = np.fft.fftshift(spectra.mean(axis=0))[1:, 1:]
    k, power = ring_means(spectrum, 1 / (128 * PIXEL))
    ax.semilogy(k[2:], power[2:], color="k")
    for zero in zeros(defocus):
        ax.axvline(zero, color="0.75", zorder=0)
    ax.set(ylabel="power", title=f"{defocus:g} µm underfocus", xlim=(0, 1))
axes[-1].set_xlabel("spatial frequency (1/nm)")
plt.show()

# %%
# Signal to noise
# ---------------
# Electrons are counted, so the variance of the shot noise falls as one over the dose.
# The ice is another matter: it is there whatever the dose, and limits what more
# electrons can bring. The signal here is the same liposomes without ice and with next
# to no shot noise; the noise is what a recorded image adds to it.

DOSES = np.array([2.0, 5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 320.0])


def recorded(dose, ice_noise):
    """Return the same 20 liposomes at some dose, with or without ice."""
    return make_liposomes(
        20,
        image_size=64,
        pixel_size=2.0,
        radius=35,
        radius_spread=0.1,
        defocus=2.5,
        dose=dose,
        ice_noise=ice_noise,
        **QUIET,
    ).images


pure = recorded(1e9, 0)
shot = [pure.var() / (recorded(dose, 0) - pure).var() for dose in DOSES]
both = [pure.var() / (recorded(dose, 0.03) - pure).var() for dose in DOSES]

figure, ax = plt.subplots(figsize=(5.6, 3.6), layout="constrained")
ax.loglog(DOSES, shot, "o", color="C0", label="shot noise only")
ax.loglog(
    DOSES,
    pure.var() * DOSES * 100 * 2.0**2,
    color="C0",
    label="variance of Poisson's law",
)
ax.loglog(DOSES, both, "s-", color="C1", label="shot noise and ice")
ax.axvspan(10, 30, color="0.9", zorder=0, label="default doses")
ax.set(xlabel="dose (electrons per Å²)", ylabel="signal variance / noise variance")
ax.legend(fontsize="small")
plt.show()

# %%
# References
# ----------
# .. [1] J. F. Nagle and S. Tristram-Nagle, "Structure of lipid bilayers", Biochim.
#        Biophys. Acta 1469:159-195, 2000.
# .. [2] J. Frank, "Three-Dimensional Electron Microscopy of Macromolecular
#        Assemblies", 2nd edition, Oxford University Press, 2006.
