//! The Cache API as it is: what the origin allows, or for so long as the route says, where it says nothing.

export async function cached(name, request, context, url, route, claims, ask) {
  if (request.method !== 'GET' || (claims && !route.cache.shared)) return ask();
  const cache = await caches.open(name);
  const key = url.href;
  const hit = await cache.match(key);
  if (hit) return marked(new Response(hit.body, hit), 'hit');
  const response = await ask();
  if (route.cache.mode === 'assign' && !response.headers.has('cache-control'))
    response.headers.set('cache-control', `public, max-age=${route.cache.seconds}`);
  if (storable(response)) context.waitUntil(cache.put(key, response.clone()));
  return marked(response, 'fwd=uri-miss');
}

function storable({ status, headers }) {
  return (
    status === 200 &&
    !headers.has('set-cookie') &&
    !/private|no-store/.test(headers.get('cache-control') ?? '')
  );
}

function marked(response, outcome) {
  response.headers.set('cache-status', `peer; ${outcome}`);
  return response;
}
