/** Pairs of photos to start with, and who took them; the files lie in notebooks/photos of the repository. */

export interface Sample {
  title: string;
  content: string;
  style: string;
}

export const SAMPLES: Sample[] = [
  { title: "Lake, in a sunset", content: "lake_content.jpg", style: "lake_style.jpg" },
  { title: "Mountains, in autumn", content: "mountain_content.jpg", style: "mountain_style.jpg" },
  { title: "Tower, at dusk", content: "summer_palace.jpg", style: "rocket_launch.jpg" },
  { title: "Stream, in the evening", content: "stream_content.jpg", style: "stream_style.jpg" },
  { title: "City, by night", content: "city_content.jpg", style: "city_style.jpg" },
  { title: "Portrait, of another time", content: "portrait_content.jpg", style: "portrait_style.jpg" },
];
