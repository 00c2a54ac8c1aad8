"""Gradients on TensorFlow and JAX: of a loss in the variables of some networks, and of a network in its input."""

import keras
from keras import ops


def gradients_of(loss, variables, state):
    """What `loss()` gives, and the gradients of its first part.

    Args:
        loss: a function without arguments that gives a scalar and whatever else is to be known.
        variables: Keras variables that the scalar is differentiated in.
        state: all variables that `loss` may read; on JAX their values have to be handed on.

    Returns:
        The scalar, the rest, and a list of gradients in the order of `variables`.
    """
    if keras.backend.backend() == "jax":
        return gradients_on_jax(loss, variables, state)
    import tensorflow as tf

    watched = [variable.value for variable in variables]
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(watched)
        total, rest = loss()
    return total, rest, tape.gradient(total, watched, unconnected_gradients="zero")


def gradients_on_jax(loss, variables, state):
    """`gradients_of` where variables are values of a stateless scope."""
    import jax

    known = [(variable, variable.value) for variable in state]

    def of_values(values):
        with keras.StatelessScope(state_mapping=[*known, *zip(variables, values, strict=True)]):
            return loss()

    (total, rest), gradients = jax.value_and_grad(of_values, has_aux=True)([variable.value for variable in variables])
    return total, rest, gradients


def input_gradients(function, x):
    """The gradient of `function(x)`, summed, in `x`; it can be differentiated again."""
    if keras.backend.backend() == "jax":
        import jax

        return jax.grad(lambda values: ops.sum(function(values)))(x)
    import tensorflow as tf

    x = tf.convert_to_tensor(x)
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(x)
        total = ops.sum(function(x))
    return tape.gradient(total, x)
