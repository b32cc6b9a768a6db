//! A loopback HTTP server that can go away and come back on the same port, as deployments and outages do.
import http from 'node:http';
import { once } from 'node:events';

export async function startServer(handler, port = 0) {
  // Keep-alive longer than any caller's, so that a reused connection is never closed under a request.
  const server = http.createServer({ keepAliveTimeout: 120_000 }, handler);
  const sockets = new Set();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  const listen = async (wanted) => {
    server.listen(wanted, '127.0.0.1');
    await once(server, 'listening');
  };
  await listen(port);
  const bound = server.address().port;
  return {
    server,
    port: bound,
    url: `http://127.0.0.1:${bound}`,
    /** Refuses every connection from now on and cuts the open ones. */
    async stop() {
      if (!server.listening) return;
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
    async restart() {
      if (!server.listening) await listen(bound);
    },
  };
}
