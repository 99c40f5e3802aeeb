// What happens, told as it happens (docs/websocket.md).

import {ask, key} from "./api.js";

const LONGEST_PAUSE = 30_000; // Milliseconds between two attempts to reach the server again.

// Browsers send no headers with a WebSocket: a ticket stands for the key.
async function address(path) {
  const url = new URL(`api/v1/${path}`, document.baseURI);
  url.protocol = url.protocol.replace("http", "ws");
  if (key()) url.searchParams.set("ticket", (await ask("POST", "ws/tickets")).ticket);
  return url;
}

// Calls on.message(message) for every message of the WebSocket at `path`; on.missed() when something was not
// told: at the start, after a break, or when this page was too slow; on.state(connected) when that changes.
// Returns what ends it.
export function watch(path, on) {
  let socket, timer, over = false, pause = 1000;

  function again(least = 0) {
    if (over) return;
    on.state?.(false);
    timer = setTimeout(open, Math.max(least * 1000, pause * (0.75 + Math.random() / 2)));
    pause = Math.min(pause * 2, LONGEST_PAUSE);
  }

  async function open() {
    try {
      socket = new WebSocket(await address(path));
    } catch (refusal) {
      again(refusal.retryAfter);
      return;
    }
    if (over) socket.close();
    socket.onclose = () => again();
    socket.onmessage = ({data}) => {
      const message = JSON.parse(data);
      if (message.type === "connected") {
        pause = 1000;
        on.state?.(true);
        on.missed?.();
      } else if (message.type === "resync") {
        on.missed?.();
      } else {
        on.message(message);
      }
    };
  }

  open();
  return () => {
    over = true;
    clearTimeout(timer);
    socket?.close();
  };
}
