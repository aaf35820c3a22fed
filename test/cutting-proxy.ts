/** A TCP proxy that loses connections as networks do: in the middle of a frame, without a word. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

export class CuttingProxy {
  /** Of the gateway behind it, by way of the proxy. */
  readonly url: string;
  /** Bytes, both ways together, after which a connection is cut: of the first one, the second, … */
  readonly cuts: number[] = [];
  /** Nothing from the client is passed on. */
  deaf = false;
  /** New connections are cut at once. */
  refusing = false;
  connections = 0;
  readonly #server: Server;
  readonly #open = new Set<() => void>();

  private constructor(server: Server, url: string) {
    this.#server = server;
    this.url = url;
  }

  static async start(gatewayUrl: string): Promise<CuttingProxy> {
    const target = new URL(gatewayUrl);
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = new URL(gatewayUrl);
    url.port = `${(server.address() as AddressInfo).port}`;
    const proxy = new CuttingProxy(server, url.href);
    server.on('connection', (client) => proxy.#connected(client, Number(target.port)));
    return proxy;
  }

  /** Cuts every connection. */
  cut(): void {
    for (const cut of this.#open) cut();
  }

  async stop(): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #connected(client: Socket, port: number): void {
    const server = connect(port, '127.0.0.1');
    const cut = (): void => {
      this.#open.delete(cut);
      client.destroy();
      server.destroy();
    };
    this.#open.add(cut);
    for (const socket of [client, server]) socket.on('error', cut).on('close', cut);
    if (this.refusing) {
      cut();
      return;
    }
    let left = this.cuts[this.connections++] ?? Infinity;
    const pass = (from: Socket, to: Socket): void => {
      from.on('data', (data: Buffer) => {
        if (from === client && this.deaf) return;
        const part = data.subarray(0, Math.max(0, left));
        left -= part.length;
        to.write(part, () => {
          if (left <= 0) cut();
        });
      });
    };
    pass(client, server);
    pass(server, client);
  }
}
