// One batch above the list: a playlist, a channel, or several addresses that were submitted together.

export const ended = (batch) => ["completed", "failed", "cancelled"].includes(batch.status);

function figures(batch) {
  if (batch.phase === "listing") return `looking at the list: ${batch.listed} so far`;
  const parts = [`${batch.completed_jobs} of ${batch.total_jobs} done`];
  if (batch.failed_jobs) parts.push(`${batch.failed_jobs} failed`);
  if (batch.skipped_jobs) parts.push(`${batch.skipped_jobs} left out`);
  return parts.join(" · ");
}

// Shows `batch`, as GET /batches tells it, in a list item made of the template.
export function show(item, batch) {
  const part = (name) => item.querySelector(`.${name}`);
  item.dataset.id = batch.id;
  item.dataset.status = batch.status;
  part("title").textContent = batch.title || batch.url || "Several addresses";
  part("status").textContent = batch.status;
  part("figures").textContent = figures(batch);
  part("problem").textContent = batch.error ?? "";
  part("actions").hidden = ended(batch);
  return item;
}
