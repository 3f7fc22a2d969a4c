// A relying party that uses openid-client as its documentation says and checks all it can, and a
// resource server that verifies access tokens by oauth4webapi.
import * as oauth from 'oauth4webapi';
import * as openid from 'openid-client';
import { serve } from './lines.mjs';

const [issuer, redirectUri] = process.argv.slice(2);
const strictly = { execute: [openid.allowInsecureRequests, openid.enableNonRepudiationChecks] };
const kept = {};
const dpop = () => ({ DPoP: kept.handle });

async function ownKey() {
  const { privateKey, publicKey } = await oauth.generateKeyPair('ES256');
  const jwk = await crypto.subtle.exportKey('jwk', publicKey);
  kept.key = { key: privateKey, kid: 'own' };
  return { keys: [{ ...jwk, kid: 'own', use: 'sig', alg: 'ES256' }] };
}

const proofs = {
  client_secret_basic: () => openid.ClientSecretBasic(),
  client_secret_jwt: () => openid.ClientSecretJwt(),
  private_key_jwt: () => openid.PrivateKeyJwt(kept.key),
};

async function register({ metadata }) {
  const method = metadata.token_endpoint_auth_method;
  const signs = method === 'private_key_jwt' || metadata.request_object_signing_alg;
  const keys = signs ? { jwks: await ownKey() } : {};
  const wanted = { ...metadata, ...keys, redirect_uris: [redirectUri] };
  kept.config = await openid.dynamicClientRegistration(
    new URL(issuer), wanted, proofs[method]?.(), strictly,
  );
  return kept.config.clientMetadata();
}

async function bind() {
  kept.handle = openid.getDPoPHandle(kept.config, await openid.randomDPoPKeyPair('ES256'));
  return {};
}

async function discover({ algorithm }) {
  const options = { ...strictly, algorithm };
  const found = await openid.discovery(new URL(issuer), 'anybody', undefined, undefined, options);
  return found.serverMetadata();
}

async function signed(request) {
  const url = await openid.buildAuthorizationUrlWithJAR(kept.config, request, kept.key);
  return url.searchParams;
}

async function authorize({ parameters, pushed = false, signs = false }) {
  const verifier = openid.randomPKCECodeVerifier();
  kept.checks = {
    pkceCodeVerifier: verifier,
    expectedState: openid.randomState(),
    expectedNonce: openid.randomNonce(),
    idTokenExpected: true,
    maxAge: parameters.max_age && Number(parameters.max_age),
  };
  const request = {
    redirect_uri: redirectUri,
    code_challenge: await openid.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state: kept.checks.expectedState,
    nonce: kept.checks.expectedNonce,
    ...parameters,
  };
  const build = pushed ? openid.buildAuthorizationUrlWithPAR : openid.buildAuthorizationUrl;
  const sent = signs ? await signed(request) : request;
  return { url: (await build(kept.config, sent, dpop())).href };
}

const told = (tokens) => ({ tokens, claims: tokens.claims() });

async function finish({ url, posted = false }) {
  const back = new URL(url);
  const form = { method: 'POST', body: back.searchParams };
  const answer = posted ? new Request(redirectUri, form) : back;
  return told(kept.tokens = await openid.authorizationCodeGrant(
    kept.config, answer, kept.checks, undefined, dpop(),
  ));
}

async function refresh() {
  return told(kept.tokens = await openid.refreshTokenGrant(
    kept.config, kept.tokens.refresh_token, undefined, dpop(),
  ));
}

const userinfo = () =>
  openid.fetchUserInfo(kept.config, kept.tokens.access_token, kept.tokens.claims().sub, dpop());

const introspect = () => openid.tokenIntrospection(kept.config, kept.tokens.access_token);

async function revoke() {
  await openid.tokenRevocation(kept.config, kept.tokens.refresh_token);
  return {};
}

function leave({ parameters }) {
  const wish = { id_token_hint: kept.tokens.id_token, ...parameters };
  return { url: openid.buildEndSessionUrl(kept.config, wish).href };
}

async function protect({ audience }) {
  const server = { ...kept.config.serverMetadata() };
  let claims;
  kept.config[openid.customFetch] = async (url, options) => {
    claims = await oauth.validateJwtAccessToken(server, new Request(url, options), audience, {
      [oauth.allowInsecureRequests]: true,
    });
    return new Response();
  };
  const { access_token: token } = kept.tokens;
  await openid.fetchProtectedResource(
    kept.config, token, new URL(audience), 'GET', undefined, undefined, dpop(),
  ).finally(() => { kept.config[openid.customFetch] = undefined; });
  return claims;
}

async function poll({ scope }) {
  const asked = await openid.initiateDeviceAuthorization(kept.config, { scope });
  kept.polls = 0;
  kept.config[openid.customFetch] = async (url, options) => {
    const answer = await fetch(url, options);
    kept.polls += options.body?.has?.('device_code') ? 1 : 0;
    return answer;
  };
  kept.polling = openid.pollDeviceAuthorizationGrant(kept.config, asked).catch((error) => error);
  return asked;
}

async function polled() {
  const tokens = await kept.polling;
  if (tokens instanceof Error) throw tokens;
  return { ...told(tokens), polls: kept.polls };
}

await serve({
  register, bind, discover, authorize, finish, refresh, userinfo, introspect, revoke, leave,
  protect, poll, polled, polls: () => ({ polls: kept.polls }),
});
