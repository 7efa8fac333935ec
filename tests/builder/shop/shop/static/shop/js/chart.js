export const bars = (place, values) =>
  d3.select(place).selectAll("rect").data(values).join("rect").attr("height", value => 10 * value);
