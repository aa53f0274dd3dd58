// Loaded into a process before its program, measures there how late its event loop is, and tells who connects to the socket
// that EVENT_LOOP_PROBE names: the delays since the last time that somebody asked, in milliseconds.
import { createServer } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';

const NS_PER_MS = 1e6;

const delays = monitorEventLoopDelay();
delays.enable();
createServer((socket) => {
  socket.end(JSON.stringify({ p99: delays.percentile(99) / NS_PER_MS, max: delays.max / NS_PER_MS }));
  delays.reset();
})
  .listen(process.env.EVENT_LOOP_PROBE)
  .unref();
