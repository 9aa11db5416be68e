// list → detail → booking with the types that openapi-typescript made of the API document.
import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { paths } from "./made/offers";

const api = createClient<paths>({ baseUrl: process.argv[2] });

async function main(): Promise<void> {
  const list = await api.GET("/v1/offers", { params: { query: { board: "course", limit: 200 } } });
  const first = list.data?.items.find((offer) => offer.id === process.argv[3]);
  assert(first);

  const detail = await api.GET("/v1/offers/{offer_id}", { params: { path: { offer_id: first.id } } });
  assert(detail.data);
  const title: string | undefined = detail.data.content.title["de"];
  const level: unknown = detail.data.content.fields["level"];
  assert.deepEqual([title, level], ["Töpfern", "easy"]);
  assert.equal(detail.response.headers.get("ETag"), `"${detail.data.version}"`);

  const booked = await api.POST("/v1/bookings", {
    body: { offer_id: first.id, recipient_id: "fetch", places: 5, form: { age: 9 } },
  });
  assert(booked.data);
  const { booking, token } = booked.data;
  const again = await api.POST("/v1/bookings", {
    body: { offer_id: first.id, recipient_id: "fetch", places: 2, form: { age: 9 } },
    headers: { "Accept-Language": "de" },
  });
  assert.equal(again.error?.code, "places-cap-reached");
  assert.equal(again.error.title, "Zu viele Plätze");

  const cancelled = await api.POST("/v1/bookings/{booking_id}/cancel", {
    params: {
      path: { booking_id: booking.id },
      header: { "If-Match": `"${booking.version}"`, "Link-Token": token },
    },
  });
  assert.equal(cancelled.data?.status, "cancelled");
}

void main();
