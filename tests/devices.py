"""What tests have to know of the device that "auto" means here."""

from emclassify.training import resolve_device

HERE = resolve_device("auto")
ON_CPU = HERE.type == "cpu"


def near(on_cpu, elsewhere=2e-4):
    """Absolute tolerance where batches of other lengths, or a CPU, say the same.

    A GPU multiplies in TF32, 10 bits of mantissa, or in bfloat16, and picks its
    algorithms by the length of a batch.
    """
    return on_cpu if ON_CPU else elsewhere
