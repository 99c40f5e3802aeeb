#!/usr/bin/env node
// Hands a URL to a Trawl server, waits for the download and stores its file here.
//   TRAWL_URL=http://localhost:8080 TRAWL_KEY=... download.mjs URL [QUALITY]
// @ts-check
import { randomUUID } from "node:crypto";
import { writeFile } from "node:fs/promises";

/**
 * @typedef {{ url: string, quality?: string, audio_only?: boolean, webhook_url?: string }} DownloadRequest
 * @typedef {{ filename: string, file_url: string, size_bytes: number, mime_type: string }} FileInfo
 * @typedef {{ id: string, status: "queued" | "running" | "paused" | "completed" | "failed" | "cancelled",
 *             file_info: FileInfo | null, error: string | null, error_code: string | null }} Download
 */

/** A refusal: `code` is for programs, the message for people. */
class TrawlError extends Error {
  /** @param {number} status @param {string} code @param {string} text */
  constructor(status, code, text) {
    super(`${status} ${code}: ${text}`);
    this.status = status;
    this.code = code;
  }
}

class Trawl {
  /** @param {string} url @param {string | undefined} key */
  constructor(url, key) {
    this.url = url;
    /** @type {Record<string, string>} */
    this.headers = key ? { "X-API-Key": key } : {};
  }

  /** @param {string} path @param {RequestInit} [how] @returns {Promise<Response>} */
  async ask(path, how = {}) {
    const answer = await fetch(new URL(path, this.url), { ...how, headers: { ...this.headers, ...how.headers } });
    if (answer.ok) return answer;
    const said = await answer.json();
    throw new TrawlError(answer.status, said.error_code, said.error);
  }

  /** @param {DownloadRequest} wanted @returns {Promise<Download>} */
  async create(wanted) {
    // The same Idempotency-Key makes it safe to send this again when the answer was lost.
    const headers = { "Content-Type": "application/json", "Idempotency-Key": randomUUID() };
    return (await this.ask("/api/v1/downloads", { method: "POST", headers, body: JSON.stringify(wanted) })).json();
  }

  /** The download, at once or when it has changed. @param {string} id @param {number} wait @returns {Promise<Download>} */
  async show(id, wait = 0) {
    return (await this.ask(`/api/v1/downloads/${id}?wait=${wait}`)).json();
  }

  /** @param {FileInfo} file */
  async fetchFile(file) {
    const answer = await this.ask(file.file_url);
    await writeFile(file.filename, Buffer.from(await answer.arrayBuffer()));
    return file.filename;
  }
}

try {
  const trawl = new Trawl(process.env.TRAWL_URL ?? "http://localhost:8080", process.env.TRAWL_KEY);
  let job = await trawl.create({ url: process.argv[2], quality: process.argv[3] ?? "best" });
  while (["queued", "running", "paused"].includes(job.status)) job = await trawl.show(job.id, 30);
  if (job.status !== "completed" || !job.file_info) throw new Error(`${job.status}: ${job.error}`);
  console.log(await trawl.fetchFile(job.file_info));
} catch (wrong) {
  console.error(wrong instanceof Error ? wrong.message : wrong);
  process.exitCode = 1;
}
