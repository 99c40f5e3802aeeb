// The page: a form for addresses, and the list of downloads, kept up to date by the WebSocket.

import {ask, key, Refusal, useKey} from "./api.js";
import * as batches from "./batch.js";
import {show, told} from "./job.js";
import {watch} from "./live.js";

const PAGE = 20;
const PACE = 2000; // Milliseconds between two looks at the list, so that a busy list does not use up the key's rate.

const $ = (id) => document.getElementById(id);
const jobs = new Map(); // By id, in the order of the list: {job, item}.
const followed = new Map(); // Batches that run, by id: what ends the watching.
let cursor = null, stopWatching = null, looking = null;
let batchesRun = true; // As far as is known; else nothing is asked about them.

function complain(refusal) {
  if (!(refusal instanceof Refusal)) throw refusal;
  if (refusal.status === 401) return leave(key() ? refusal.message : "");
  const wait = refusal.retryAfter ? ` Try again in ${refusal.retryAfter} s.` : "";
  $("problem").textContent = refusal.message + wait;
  $("problem").hidden = false;
}

// Runs what a person asked for; what went wrong is shown until the next thing they do.
async function carryOut(what) {
  $("problem").hidden = true;
  try {
    await what();
  } catch (refusal) {
    complain(refusal);
  }
}

// --- the list

function put(job, where) {
  const known = jobs.get(job.id);
  const item = known?.item ?? $("job").content.firstElementChild.cloneNode(true);
  jobs.set(job.id, {job, item});
  show(item, job, openFile);
  if (!known) where === "top" ? $("jobs").prepend(item) : $("jobs").append(item);
  $("none").hidden = true;
}

function drop(id) {
  jobs.get(id)?.item.remove();
  jobs.delete(id);
  $("none").hidden = jobs.size > 0;
}

function page(after) {
  const query = new URLSearchParams({limit: PAGE});
  if ($("status").value) query.set("status", $("status").value);
  if (after) query.set("cursor", after);
  return ask("GET", `downloads?${query}`);
}

// Those that run, and the newest that went wrong.
async function lookAtBatches() {
  const found = (await ask("GET", "batches?limit=10")).batches;
  batchesRun = !found.every(batches.ended);
  const shown = found.filter((batch) => !batches.ended(batch) || batch.status === "failed").slice(0, 5);
  $("batches").replaceChildren(...shown.map((batch) => batches.show($("batch").content.firstElementChild.cloneNode(true), batch)));
  for (const [id, stop] of followed) if (!shown.some((batch) => batch.id === id && !batches.ended(batch))) forgetBatch(id, stop);
  for (const batch of shown) if (!batches.ended(batch) && !followed.has(batch.id)) follow(batch);
}

function follow(batch) {
  followed.set(batch.id, watch(`ws/batches/${batch.id}`, {
    message: (message) => {
      if (message.final) return lookSoon(0);
      if (message.type !== "progress") return;
      const item = $("batches").querySelector(`[data-id="${batch.id}"]`);
      if (item) batches.show(item, Object.assign(batch, message, {id: batch.id}));
    },
  }));
}

function forgetBatch(id, stop) {
  stop();
  followed.delete(id);
}

// The newest page: what is new comes on top, what is shown is brought up to date, what is gone goes.
async function look() {
  if (batchesRun) await lookAtBatches();
  const found = await page();
  const ids = new Set(found.downloads.map((job) => job.id));
  const whole = jobs.size <= PAGE || !found.next_cursor;
  if (whole) {
    for (const id of [...jobs.keys()]) if (!ids.has(id)) drop(id);
    cursor = found.next_cursor;
  }
  for (const job of found.downloads.toReversed()) put(job, "top");
  if (whole) $("jobs").append(...found.downloads.map((job) => jobs.get(job.id).item));
  $("none").hidden = jobs.size > 0;
  $("more").hidden = !cursor;
}

// Looks soon, once for all who ask meanwhile, and when the server says so.
function lookSoon(milliseconds = PACE) {
  looking ??= setTimeout(async () => {
    looking = null;
    try {
      await look();
    } catch (refusal) {
      if (refusal.retryAfter) lookSoon(refusal.retryAfter * 1000);
      else complain(refusal);
    }
  }, milliseconds);
}

function heard(message) {
  const known = jobs.get(message.job_id);
  if (known && (message.type === "progress" || message.type === "status")) put(told(known.job, message));
  if (message.type === "status") lookSoon(message.final ? 200 : PACE);
}

async function more() {
  const found = await page(cursor);
  for (const job of found.downloads) put(job);
  cursor = found.next_cursor;
  $("more").hidden = !cursor;
}

function restart() {
  $("jobs").replaceChildren();
  jobs.clear();
  cursor = null;
  return look();
}

// --- what a person does

function options() {
  const wanted = {};
  if ($("quality").value) wanted.quality = $("quality").value;
  if ($("keep").value) wanted.retention_hours = Number($("keep").value);
  if ($("preset").value) wanted.preset = $("preset").value;
  if ($("subtitles").checked) wanted.download_subtitles = true;
  return wanted;
}

// Several addresses are one batch; each playlist is one of its own.
function requests(urls) {
  if ($("playlist").checked) return urls.map((url) => ["batches", {url}, [url]]);
  return [urls.length === 1 ? ["downloads", {url: urls[0]}, urls] : ["batches", {urls}, urls]];
}

// What could not be submitted stays in the form.
async function submit() {
  let left = $("urls").value.split(/\s+/).filter(Boolean);
  for (const [path, what, urls] of requests(left)) {
    await ask("POST", path, {body: {...options(), ...what}, headers: {"Idempotency-Key": unique()}});
    batchesRun ||= path === "batches";
    left = left.filter((url) => !urls.includes(url));
    $("urls").value = left.join("\n");
  }
  await look();
}

// crypto.randomUUID is not there for pages that come without TLS.
const unique = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

// A key cannot travel with a link, so a file gets one of its own that works for some minutes.
async function openFile(path) {
  await carryOut(async () => {
    const url = key() ? (await ask("POST", "links", {body: {path, expires_in: 900}})).url
                      : `files/${path.split("/").map(encodeURIComponent).join("/")}`;
    const link = document.createElement("a");
    link.href = url;
    link.click();
  });
}

async function toggleLog(id, item) {
  const log = item.querySelector(".log");
  if (log.hidden) log.textContent = (await ask("GET", `downloads/${id}/logs?format=text`)) || "There is nothing in it.";
  log.hidden = !log.hidden;
}

const DOES = {
  pause: (id) => ask("POST", `downloads/${id}/pause`),
  resume: (id) => ask("POST", `downloads/${id}/resume`),
  retry: (id) => ask("POST", `downloads/${id}/retry`),
  stop: (id) => ask("POST", `downloads/${id}/stop`),
  cancel: (id) => ask("DELETE", `downloads/${id}`),
  remove: (id) => ask("DELETE", `downloads/${id}?purge=true`),
};

async function actOnBatch(event) {
  if (!event.target.dataset?.does) return;
  const {id} = event.target.closest(".batch").dataset;
  await carryOut(async () => {
    await ask("DELETE", `batches/${id}`);
    await look();
  });
}

async function act(event) {
  const does = event.target.dataset?.does, item = event.target.closest(".job");
  if (!does) return;
  const id = item.dataset.id;
  await carryOut(async () => {
    if (does === "log") return toggleLog(id, item);
    await DOES[does](id);
    if (does === "remove") drop(id);
    lookSoon(200);
  });
}

// --- coming and going

async function offerPresets() {
  const {presets} = await ask("GET", "presets");
  $("preset").replaceChildren(new Option("none", ""), ...presets.map(({name}) => new Option(name, name)));
  $("presets").hidden = presets.length === 0;
}

async function enter() {
  await restart(); // Is refused when a key is wanted.
  $("enter").hidden = true;
  $("work").hidden = false;
  $("forget").hidden = !key();
  stopWatching?.();
  stopWatching = watch("ws?types=status,progress", {
    message: heard,
    missed: () => lookSoon(0),
    state: (connected) => { $("live").textContent = connected ? "live" : "not connected"; },
  });
  await offerPresets();
}

function leave(problem) {
  stopWatching?.();
  stopWatching = null;
  for (const [id, stop] of followed) forgetBatch(id, stop);
  useKey("");
  $("live").textContent = "";
  $("work").hidden = $("forget").hidden = true;
  $("enter").hidden = false;
  $("problem").textContent = problem;
  $("problem").hidden = !problem;
  $("key").focus();
}

function on(id, event, what) {
  $(id).addEventListener(event, (happened) => {
    happened.preventDefault();
    carryOut(what);
  });
}

on("enter", "submit", async () => {
  useKey($("key").value.trim());
  $("key").value = "";
  await enter();
});
on("submit", "submit", submit);
on("status", "change", restart);
on("more", "click", more);
on("forget", "click", () => leave(""));
$("jobs").addEventListener("click", act);
$("batches").addEventListener("click", actOnBatch);

fetch(".", {headers: {Accept: "application/json"}})
  .then((answer) => answer.json())
  .then(({docs}) => { $("docs").hidden = !docs; });
carryOut(enter);
