import { inTheirWords } from './deepgram-refusal.js';

/** How Deepgram's clients ask for a short-lived token: `auth.v1.tokens.grant` of their SDKs. */
export const DEEPGRAM_GRANT = {
  path: '/v1/auth/grant',
  secondsMember: 'ttl_seconds',
  // theirs too
  defaultSeconds: 30,
  answer: (token: string, seconds: number) => ({ access_token: token, expires_in: seconds }),
  refusal: inTheirWords,
} as const;
