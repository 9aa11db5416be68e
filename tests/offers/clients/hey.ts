// list → detail → booking with the functions that @hey-api/openapi-ts made of the API document.
import assert from "node:assert/strict";
import { client } from "./made/hey/client.gen";
import { cancelBooking, getOffer, listOffers, requestBooking } from "./made/hey/sdk.gen";

async function main(): Promise<void> {
  client.setConfig({ baseUrl: process.argv[2] });
  const list = await listOffers({ query: { board: "course", limit: 200 } });
  const first = list.data?.items.find((offer) => offer.id === process.argv[3]);
  assert(first);

  const detail = await getOffer({ path: { offer_id: first.id } });
  assert(detail.data);
  const title: string | undefined = detail.data.content.title["de"];
  assert.equal(title, "Töpfern");

  const booked = await requestBooking({
    body: { offer_id: first.id, recipient_id: "hey", places: 5, form: { age: 9 } },
  });
  assert(booked.data);
  const { booking, token } = booked.data;
  const again = await requestBooking({
    body: { offer_id: first.id, recipient_id: "hey", places: 2, form: { age: 9 } },
  });
  assert.equal(again.error?.code, "places-cap-reached");

  const cancelled = await cancelBooking({
    path: { booking_id: booking.id },
    headers: { "If-Match": `"${booking.version}"`, "Link-Token": token },
  });
  assert.equal(cancelled.data?.status, "cancelled");
}

void main();
