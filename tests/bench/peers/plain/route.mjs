//! Which route takes a request: one regular expression per path, the most specific first.
import policy from 'policy';

const escaped = (text) => text.replace(/[.*+?^$()|[\]\\]/g, '\\$&');
const pattern = (path) => {
  const parts = path.split(/(\{[^}]+\})/);
  return parts
    .map((part) => (part.startsWith('{*') ? '.+' : part.startsWith('{') ? '[^/]+' : escaped(part)))
    .join('');
};
const ROUTES = policy.routes.map((route) => ({ ...route, pattern: new RegExp(`^${pattern(route.path)}$`) }));

export function find(host, method, path) {
  return ROUTES.find(
    ({ hosts, methods, pattern }) =>
      hosts.includes(host) && (methods.length === 0 || methods.includes(method)) && pattern.test(path),
  );
}
