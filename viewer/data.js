// SPDX-License-Identifier: Apache-2.0
// data.js - unpacks the record that the page carries; see src/rec/page.c for its form.

async function loadRecord() {
  const holder = $("data");
  const text = atob(holder.textContent.trim());
  const packed = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) packed[i] = text.charCodeAt(i);
  holder.textContent = "";
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  const n = new DataView(bytes.buffer).getUint32(0, true);
  const record = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + n)));
  const bin = bytes.subarray(4 + n);
  const series = (s) => unpackSeries(bin, s);
  record.frame_t = series(record.frame_t);
  record.poses = record.poses.map(series);
  for (const g of record.geoms)
    if (g.face) ((g.vert = g.vert.map(series)), (g.face = series(g.face)));
  // signals wait until they are looked at
  for (const s of record.signals) {
    if (!s.t) continue;
    const packedT = s.t,
      packedV = s.v,
      done = new Map();
    let t = null;
    s.times = () => (t ??= series(packedT));
    s.values = (k) => done.get(k) ?? (done.set(k, series(packedV[k])), done.get(k));
  }
  record.contacts = record.contacts.map(series);
  record.start = record.t0;
  record.end = Math.max(record.t1, record.t0 + 1e-3);
  return record;
}

// [offset, bytes, count, base, scale] -> Float64Array
function unpackSeries(bin, [offset, width, n, base, scale]) {
  const out = new Float64Array(n);
  let q = 0;
  for (let i = 0; i < n; i++) {
    let z = 0;
    for (let plane = width - 1; plane >= 0; plane--) z = z * 256 + bin[offset + plane * n + i];
    q += z % 2 ? -(z + 1) / 2 : z / 2;
    out[i] = base + scale * q;
  }
  return out;
}

// Index of the last entry of sorted t that is <= x; 0 if none.
function indexAt(t, x) {
  let lo = 0,
    hi = t.length - 1;
  while (lo < hi) {
    const mid = (lo + hi + 1) >> 1;
    if (t[mid] <= x) lo = mid;
    else hi = mid - 1;
  }
  return lo;
}
