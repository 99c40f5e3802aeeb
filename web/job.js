// One download in the list.

// "3.4 MB"; decimal units, as file managers show them.
export function bytes(count) {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  let unit = 0;
  for (; count >= 1000 && unit < units.length - 1; ++unit) count /= 1000;
  return `${unit ? count.toPrecision(3) : count} ${units[unit]}`;
}

// "1:02:03", of seconds.
export function time(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  const parts = [Math.floor(whole / 60) % 60, whole % 60].map((part) => String(part).padStart(2, "0"));
  return whole >= 3600 ? `${Math.floor(whole / 3600)}:${parts.join(":")}` : parts.join(":").replace(/^0/, "");
}

const WORDS = {queued: "waiting", running: "running", paused: "paused", completed: "completed", failed: "failed", cancelled: "cancelled"};

// Bytes without a total: a live stream, or a site that does not say how much it sends.
const mayBeLive = ({phase, progress}) => phase === "downloading" && progress.downloaded_bytes > 0 && !progress.total_bytes;

// What can be done with it, by its state.
export function actions(job) {
  switch (job.status) {
    case "queued": return ["pause", "cancel"];
    case "running": return job.state === "cancelling" ? [] : mayBeLive(job) ? ["pause", "stop", "cancel"] : ["pause", "cancel"];
    case "paused": return ["resume", "cancel"];
    case "completed": return ["remove"];
    default: return job.can_retry ? ["retry", "remove"] : ["remove"];
  }
}

function figures({status, progress, expires_at, next_attempt_at, state}) {
  const parts = [];
  if (status === "running" && progress.downloaded_bytes) {
    parts.push(progress.total_bytes ? `${bytes(progress.downloaded_bytes)} of ${bytes(progress.total_bytes)}` : bytes(progress.downloaded_bytes));
    if (progress.speed) parts.push(`${bytes(Math.round(progress.speed))}/s`);
    if (progress.eta) parts.push(`${time(progress.eta)} left`);
  }
  if (state === "retry_wait" && next_attempt_at) parts.push(`next attempt ${new Date(next_attempt_at).toLocaleTimeString()}`);
  if (status === "completed" && expires_at) parts.push(`kept until ${new Date(expires_at).toLocaleString()}`);
  return parts.join(" · ");
}

// Only web addresses become links: what a title or an address says is never run.
function webAddress(text) {
  const url = URL.canParse(text) ? new URL(text) : null;
  return url && /^https?:$/.test(url.protocol) ? url.href : null;
}

function fileItem({filename, file_path, size_bytes}, onFile) {
  const item = document.createElement("li"), open = document.createElement("button");
  open.className = "file";
  open.textContent = filename;
  open.onclick = () => onFile(file_path);
  item.append(open, ` ${bytes(size_bytes)}`);
  return item;
}

// Shows `job`, as GET /downloads/{id} tells it, in a list item made of the template.
export function show(item, job, onFile) {
  const part = (name) => item.querySelector(`.${name}`);
  item.dataset.id = job.id;
  item.dataset.status = job.status;
  const title = part("title"), address = webAddress(job.url);
  title.textContent = job.title || job.url;
  if (address) title.href = address;
  part("status").textContent = job.status === "running" ? job.phase : WORDS[job.status] ?? job.status;
  const bar = item.querySelector("progress");
  bar.hidden = job.status !== "running" && job.status !== "paused";
  if (job.progress.percent > 0 || job.status === "paused") bar.value = job.progress.percent;
  else bar.removeAttribute("value");
  part("figures").textContent = figures(job);
  part("problem").textContent = job.status === "completed" ? "" : job.error ?? "";
  const files = job.status === "completed" ? job.artifacts : [];
  part("files").replaceChildren(...files.map((file) => fileItem(file, onFile)));
  const possible = [...actions(job), "log"];
  for (const button of item.querySelectorAll("[data-does]")) button.hidden = !possible.includes(button.dataset.does);
}

// `job` as it is after a message of the WebSocket.
export function told(job, message) {
  if (message.type === "progress") return {...job, progress: message.progress};
  return {...job, status: message.status, state: message.state, phase: message.phase};
}
