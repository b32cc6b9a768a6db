//! The Worker's entry, in place of the class that worker-build generates: that one makes an object and three proxies of
//! each request, about 10 µs. `.tools/bundle` appends it to worker-build's shim, whose names it uses;
//! the Durable Objects stay the shim's.

export default {
  /** A new instance of the Wasm takes over from one that has died, as in the shim. */
  fetch(request, env, context) {
    checkReinitialize();
    try {
      return exports.fetch(request, env, context);
    } catch (error) {
      handleMaybeCritical(error);
      throw error;
    }
  },
};
