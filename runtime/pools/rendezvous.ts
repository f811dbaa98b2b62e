/**
 * Rendezvous hashing (Thaler and Ravishankar 1998): a key goes to the member with the highest score for it.
 * So a member that joins or leaves moves only the keys that it gets or had.
 */

const OFFSET_BASIS = 0x811c9dc5;
const PRIME = 0x01000193;

/** A score from 0 to below 2^32, the same for the same two strings. */
export function rendezvousScore(key: string, member: string): number {
  // FNV-1a over both strings, then the finalizer of MurmurHash3, because names such as pool-1 and pool-2
  // differ in their last bits alone.
  let hash = fnv1a(fnv1a(OFFSET_BASIS, member), key);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function fnv1a(start: number, text: string): number {
  let hash = start;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), PRIME);
  return hash;
}
