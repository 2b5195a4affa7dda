// A receiver in Node that knows nothing but the standard's own library, and one secret.
import http from "node:http";
import { Webhook } from "standardwebhooks";

const webhook = new Webhook(process.argv[2]);
const server = http.createServer((request, response) => {
  const parts = [];
  request.on("data", (part) => parts.push(part));
  request.on("end", () => {
    try {
      const payload = webhook.verify(Buffer.concat(parts).toString(), request.headers);
      response.writeHead(200).end(payload.type);
    } catch (error) {
      response.writeHead(400).end(String(error.message));
    }
  });
});
server.listen(Number(process.argv[3]), "127.0.0.1", () => console.log("listens"));
